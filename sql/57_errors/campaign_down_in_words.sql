create or replace function retoma_internal.campaign_down_in_words(p_transport text, p_code text) returns text
language sql stable
begin atomic
  select concat_ws(': ', 'campaign_down', r.code, r.note)
  from retoma_internal.classify(p_transport, p_code, p_written => true) as r;
end;

comment on function retoma_internal.campaign_down_in_words(text, text) is
'Why a campaign is interrupted after an error of class campaign_down: its code and the note of its rule.';
