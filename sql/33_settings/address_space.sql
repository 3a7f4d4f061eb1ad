-- WhatsApp Web has one hidden address for each person, whoever asks. The official API has one for each person and
-- business.
create or replace function retoma_internal.address_space(p_channel retoma_internal.channel) returns text
language sql stable
begin atomic
  select case
    when t.address_space is null then '#' || (p_channel).id
    when t.address_space_of is null then t.address_space
    else t.address_space || ':' || coalesce((p_channel).settings ->> t.address_space_of, '#' || (p_channel).id)
  end
  from retoma.transport as t
  where t.name = (p_channel).transport;
end;

comment on function retoma_internal.address_space(retoma_internal.channel) is
'Where the addresses of people on this channel mean the same persons, as a key of the table alias.';
