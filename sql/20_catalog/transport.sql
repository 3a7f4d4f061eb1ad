create table if not exists retoma.transport (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  pacing jsonb not null default '{}' check (jsonb_typeof(pacing) = 'object'),
  looks_up_when jsonb not null default '[]' check (
    jsonb_typeof(looks_up_when) = 'array' and not looks_up_when @? 'strict $[*] ? (@.type() != "object")'
  ),
  absent_proves boolean not null default false,
  checks_numbers boolean not null default false,
  keeps_media_for interval check (keeps_media_for > '2 days'),
  inlines_media_when jsonb not null default '[]' check (
    jsonb_typeof(inlines_media_when) = 'array' and not inlines_media_when @? 'strict $[*] ? (@.type() != "object")'
  ),
  address_space text check (address_space ~ '^[a-z][a-z0-9_]{0,30}$'),
  address_space_of text,
  note text not null,
  check (address_space_of is null or address_space is not null)
);

comment on table retoma.transport is
'Kinds of provider. A transport that you write requires a row here, its settings in transport_setting, its kinds of
content in transport_kind, and what its provider can be asked for in transport_reading. create_channel and each
configure_channel apply these rows to a channel.';
comment on column retoma.transport.pacing is 'Pacing of a new channel, where the caller of create_channel gives none.';
comment on column retoma.transport.looks_up_when is
'Patterns of settings. A channel whose settings contain one of them can ask its provider about messages in doubt. []:
never; [{}]: always.';
comment on column retoma.transport.checks_numbers is
'Whether its provider can be asked under which address a number can be reached. Then its channels have the settings
check_numbers and check_gap_s.';
comment on column retoma.transport.keeps_media_for is
'How long its provider keeps a file that was uploaded to it; null when files cannot be uploaded. A stored file is
uploaded before anything is sent that says it, and again in time.';
comment on column retoma.transport.inlines_media_when is
'Patterns of settings. On a channel whose settings contain one of them, a stored file goes along with each message, in
base64. []: never; [{}]: always.';
comment on column retoma.transport.absent_proves is
'Whether the answer "absent" of the provider proves that it never took the message. If true, the message is sent again;
if false, it stays in doubt.';
comment on column retoma.transport.address_space is
'Transports with the same word here share the addresses of people: at them, an address that is no number is the same
person. Null: such an address means something on one channel only.';
comment on column retoma.transport.address_space_of is
'A setting that divides this space: only channels with the same value of it share addresses. A channel without a value
shares them with none. Null: the space is not divided.';
