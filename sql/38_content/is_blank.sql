-- As Python does, because a content without braces is checked only in SQL.
create or replace function retoma_internal.is_blank(p_text text) returns boolean
language sql immutable
begin atomic
  select p_text
    ~ e'^[\\s\\u001c-\\u001f\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*$';
end;

comment on function retoma_internal.is_blank(text) is 'Whether a text is empty or has only white space.';
