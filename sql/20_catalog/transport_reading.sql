create table if not exists retoma.transport_reading (
  transport text not null references retoma.transport (name),
  about text not null check (about in ('account', 'templates')),
  every interval not null check (every >= '10 s'),
  primary key (transport, about)
);

comment on table retoma.transport_reading is
'What a runner asks a provider for, again and again. account: whether it works, and what it may send. templates: those
that the provider has to approve; then a campaign that says one which cannot be sent does not start.';
comment on column retoma.transport_reading.every is
'The time from an answer to the next question. After a question without an answer: 2 minutes, if every is longer.';
