-- Immutable: the result of a message is in delivery. A partition holds 100 campaigns; ensure_partition creates it.
-- There is no foreign key to campaign, because for 10 million rows its check takes a third of the time of the load.
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
'IANA time zones in which the recipient may be, joined by commas; null when unknown.';
