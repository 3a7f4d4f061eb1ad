create or replace function retoma_internal.session_in_words(
  p_pid int, p_role name, p_application text, p_state text, p_since timestamptz
) returns text
language sql stable
begin atomic
  select format(
    'session %s of role %s (%s)%s%s', p_pid, p_role, coalesce(nullif(p_application, ''), 'no name'),
    ', ' || p_state, ', since ' || to_char(p_since, 'YYYY-MM-DD HH24:MI:SSOF')
  );
end;

comment on function retoma_internal.session_in_words(int, name, text, text, timestamptz) is
'How people are told of a session of PostgreSQL. p_since: when its transaction began.';
