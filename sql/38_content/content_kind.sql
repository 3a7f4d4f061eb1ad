-- Texts are all that can be sent for now.
create or replace function retoma_internal.content_kind(p_campaign_id int) returns text
language sql stable
begin atomic
  select 'text';
end;

comment on function retoma_internal.content_kind(int) is 'The kind of content of a campaign, as in transport_kind.';
