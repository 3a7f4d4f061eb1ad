-- 24 hex digits of the campaign's token and 8 of the ordinal. The id is the same in all attempts. A receipt that
-- carries it leads back to the message without an index on every delivery.
create or replace function retoma_internal.message_id(p_token text, p_ordinal int) returns text
language sql immutable parallel safe
begin atomic
  select p_token || lpad(to_hex(p_ordinal), 8, '0');
end;

comment on function retoma_internal.message_id(text, int) is
'The id of a message that the provider sees: 32 lower-case hex digits.';
