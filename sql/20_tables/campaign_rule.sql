create table if not exists retoma_internal.campaign_rule (
  id int generated always as identity primary key,
  campaign_id int not null references retoma_internal.campaign (id) on delete cascade,
  kind text not null check (kind in ('window', 'daily_cap')),
  days smallint[] not null default '{1,2,3,4,5,6,7}' check (days <@ '{1,2,3,4,5,6,7}' and days <> '{}'),
  opens time,
  closes time,
  cap int check (cap > 0),
  cap_day date not null default '-infinity',
  cap_used int not null default 0,
  check ((kind = 'window') = (opens is not null and closes is not null)),
  check (opens < closes),
  check ((kind = 'daily_cap') = (cap is not null))
);

create index if not exists campaign_rule_campaign_idx on retoma_internal.campaign_rule (campaign_id);
create unique index if not exists campaign_rule_cap_idx on retoma_internal.campaign_rule (campaign_id)
where kind = 'daily_cap';

comment on table retoma_internal.campaign_rule is
'When and how much a campaign may send: windows in the time zone of each recipient (several are allowed), and a daily
cap.';
comment on column retoma_internal.campaign_rule.days is 'ISO days of the week, 1 is Monday.';
comment on column retoma_internal.campaign_rule.closes is 'Local time from which nothing is reserved any more.';
comment on column retoma_internal.campaign_rule.cap is
'Messages per day (a day of the campaign''s time zone, otherwise UTC).';
