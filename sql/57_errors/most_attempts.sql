create or replace function retoma_internal.most_attempts() returns smallint
language sql immutable parallel safe
begin atomic
  select 100::smallint;
end;

comment on function retoma_internal.most_attempts() is
'After so many attempts a message is not sent again by itself, even when they do not count against
campaign.max_attempts: it has failed, or is in doubt.';
