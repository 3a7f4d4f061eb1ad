create table if not exists retoma_internal.channel_group (
  id int generated always as identity primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$')
);

comment on table retoma_internal.channel_group is
'Channels that share limits, such as the numbers of one WhatsApp portfolio. See group_channel.';
