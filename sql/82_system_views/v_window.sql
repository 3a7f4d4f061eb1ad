create or replace view retoma.v_window as
select
  w.id as window_id,
  w.scope,
  w.subject_id,
  c.name as campaign,
  w.days,
  w.opens,
  w.closes
from retoma_internal.send_window as w
inner join retoma_internal.campaign as c on w.scope = 'campaign' and w.subject_id = c.id;

comment on view retoma.v_window is
'When campaigns may send: from opens until before closes on these ISO days (1 is Monday), local time in the zone of each
recipient. A window over midnight is two rows: until 24:00, and from 00:00 on the days after.';
