-- Unlogged: a crash empties it. Its rows are not in a campaign yet, and can be copied again from their source.
create unlogged table if not exists retoma.recipient_staging (
  campaign text not null,
  line bigint,
  phone text,
  variables jsonb default '{}',
  zone text
);

comment on table retoma.recipient_staging is
'Bulk load of recipients: \copy retoma.recipient_staging (campaign, phone, variables) from file.csv csv,
then select * from retoma.load_staged(''name'').';
comment on column retoma.recipient_staging.line is 'Line of the source, for the list of rejects; may be null.';

create table if not exists retoma.recipient_reject (
  id bigint generated always as identity primary key,
  campaign_id int not null references retoma_internal.campaign (id) on delete cascade,
  line bigint,
  phone text,
  reason text not null,
  at timestamptz not null default retoma.clock()
);

create index if not exists recipient_reject_campaign_idx on retoma.recipient_reject (campaign_id);

comment on table retoma.recipient_reject is 'Recipients that add_recipients and load_staged refused, with the reason.';
