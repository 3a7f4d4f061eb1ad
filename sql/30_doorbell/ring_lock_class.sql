create or replace function retoma_internal.ring_lock_class() returns int
language sql immutable parallel safe
begin atomic
  select 1380275026; -- the letters RETR
end;

comment on function retoma_internal.ring_lock_class() is 'First key of the advisory locks that ring() takes.';
