-- Takes the row of the number on the suppression list first, or puts one there. So two transactions about one person
-- follow each other, and the second one sees the consent of the first. A row that is there only for this says infinity,
-- which no other row does, and is gone before the commit.
--
-- The time of a provider is often a whole second. An opt-in in the same second is therefore not later than an opt-out.
create or replace function retoma_internal.record_consent(
  p_phone text,
  p_given boolean,
  p_source text,
  p_reason text,
  p_at timestamptz,
  out counts boolean,
  out suppresses boolean
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_key text := retoma_internal.suppression_key(p_phone);
  v_at timestamptz := retoma_internal.event_time(p_at);
  v_source text := left(p_source, 500); -- an opt-out is never refused for its words
  v_suppressed_at timestamptz;
begin
  insert into retoma_internal.suppression as s (suppression_key, phone, reason, source, at)
  values (v_key, p_phone, p_reason, v_source, 'infinity')
  on conflict (suppression_key) do update set reason = s.reason
  returning s.at into v_suppressed_at;
  counts := p_at is null or not exists (
    select from retoma_internal.consent as c
    where c.suppression_key = v_key and c.given <> p_given and c.at <= retoma.clock()
      and case when p_given then c.at >= v_at else date_trunc('second', c.at) > v_at end
  ) and not (p_given and isfinite(v_suppressed_at) and v_suppressed_at > v_at);
  insert into retoma_internal.consent (suppression_key, phone, given, source, at)
  select v_key, p_phone, p_given, v_source, v_at
  where p_at is null or not exists (
    select from retoma_internal.consent as c
    where c.suppression_key = v_key and c.at = v_at and c.given = p_given
  );
  suppresses := counts and not p_given and v_suppressed_at = 'infinity';
  if counts and not p_given then
    update retoma_internal.suppression as s set at = v_at where s.suppression_key = v_key and s.at = 'infinity';
  else
    delete from retoma_internal.suppression as s where s.suppression_key = v_key and (counts or s.at = 'infinity');
  end if;
end;
$$;

comment on function retoma_internal.record_consent(text, boolean, text, text, timestamptz) is
'The person behind this E.164 number agreed to be contacted (p_given), or refused. p_at: when; null: now. Kept as proof
in any case, once. counts: false when it is older than the opposite of it, and changes nothing. suppresses: whether the
number was not on the suppression list before, and is now. p_reason: of the suppression.';
