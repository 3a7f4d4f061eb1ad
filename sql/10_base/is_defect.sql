-- Classes by PostgreSQL's documentation, appendix A. Class 42 is not here: it comes from a runner or a schema of
-- another version, and says nothing about the rows. RT010 is the end of a lease.
create or replace function retoma_internal.is_defect(p_sqlstate text) returns boolean
language sql immutable parallel safe
begin atomic
  select p_sqlstate ~ '^(21|22|23|54|P0|RT)' and p_sqlstate <> 'RT010' or p_sqlstate in ('XX001', 'XX002');
end;

comment on function retoma_internal.is_defect(text) is
'Whether an error with this SQLSTATE comes from the rows that a function read, so that the same call fails again.';
