-- Written once, before the first attempt, and used by all attempts and lookups of the message. So a provider that
-- gives another address later cannot make two chats of one message.
create table if not exists retoma_internal.message_address (
  campaign_id int not null,
  ordinal int not null,
  address text check (length(address) between 1 and 200),
  primary key (campaign_id, ordinal)
);

comment on table retoma_internal.message_address is
'Where a message goes, if not to its number. Never updated.';
comment on column retoma_internal.message_address.address is
'As in number_check; null: the number is not on WhatsApp, so the message is skipped.';
