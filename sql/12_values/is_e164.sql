-- Trimming the bytes of a text takes a third of the time of translate() (250 against 700 ns). A regular expression is
-- slower still. A text with a backslash cannot always be cast to bytea, so it is refused first.
create or replace function retoma_internal.is_e164(p_phone text) returns boolean
language sql immutable parallel safe
begin atomic
  select
    p_phone like '+%' and p_phone not like '+0%' and octet_length(p_phone) between 8 and 16
    and case when strpos(p_phone, '\') = 0 then ltrim(right(p_phone, -1)::bytea, '0123456789') = '' else false end;
end;

comment on function retoma_internal.is_e164(text) is
'Whether p_phone is + and 7 to 15 digits, the first of them not 0. False for null.';
