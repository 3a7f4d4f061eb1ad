-- Immutable: what happens to a message is in delivery. Partitions hold 100 campaigns each, and are made by
-- ensure_partition. There is no foreign key to campaign: at 10 million rows its check is a third of the load.
create table if not exists retoma_internal.message (
  campaign_id int not null,
  ordinal int not null,
  phone text not null check (retoma_internal.is_e164(phone)),
  zone text,
  variables jsonb not null default '{}',
  primary key (campaign_id, ordinal),
  unique (campaign_id, phone)
) partition by range (campaign_id);

comment on table retoma_internal.message is 'One recipient of one campaign. Never updated.';
comment on column retoma_internal.message.ordinal is 'Place in the campaign, from 1 without gaps.';
comment on column retoma_internal.message.phone is 'E.164 with +.';
comment on column retoma_internal.message.zone is
'IANA time zones that the recipient may be in, joined by commas; null when unknown.';
