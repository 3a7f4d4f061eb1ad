create or replace function retoma_internal.period_in_words(p_calendar text, p_rolling interval) returns text
language sql immutable
begin atomic
  select coalesce(
    p_calendar,
    case
      when extract(epoch from p_rolling) % 3600 = 0 then format('%s hours', extract(epoch from p_rolling)::int / 3600)
      when extract(epoch from p_rolling) % 60 = 0 then format('%s minutes', extract(epoch from p_rolling)::int / 60)
      else format('%s seconds', trim_scale(extract(epoch from p_rolling)))
    end
  );
end;

comment on function retoma_internal.period_in_words(text, interval) is
'A period in the form that set_limit takes: day, or 24 hours.';
