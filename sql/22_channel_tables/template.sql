-- Rows are what the provider said when it was last asked, and what it has reported since.
create table if not exists retoma_internal.template (
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  name text not null,
  language text not null,
  status text not null,
  category text,
  quality text,
  named boolean not null default false,
  components jsonb not null default '[]' check (jsonb_typeof(components) = 'array'),
  read_at timestamptz not null,
  reported_at timestamptz,
  primary key (channel_id, name, language)
);

comment on table retoma_internal.template is
'The templates of the account of each channel, as its provider lists them.';
comment on column retoma_internal.template.status is 'In the words of the provider. Only APPROVED may be sent.';
comment on column retoma_internal.template.category is
'In the words of the provider, which sets the price by it: MARKETING, UTILITY, AUTHENTICATION.';
comment on column retoma_internal.template.quality is 'In the words of the provider: GREEN, YELLOW, RED, UNKNOWN.';
comment on column retoma_internal.template.named is 'Whether its variables have names instead of numbers.';
comment on column retoma_internal.template.components is
'Header, body, buttons, cards: [{"type": "BODY", "text": "Olá {{1}}"}].';
comment on column retoma_internal.template.read_at is 'When a list of the provider last had it.';
comment on column retoma_internal.template.reported_at is 'When a webhook last changed it.';
