-- One mechanism for every limit. A period is a calendar unit in a time zone, or a rolling length of time that ends now.
create table if not exists retoma_internal.limit_rule (
  id int generated always as identity primary key,
  scope text not null check (scope in ('channel', 'channel_group', 'campaign', 'person')),
  subject_id int,
  counting text not null default 'messages' check (counting in ('messages', 'people')),
  maximum int not null check (maximum > 0),
  calendar text check (calendar in ('hour', 'day', 'week', 'month')),
  rolling interval check (rolling between '1 second' and '31 days'),
  time_zone text not null default 'UTC',
  told_by_provider boolean not null default false,
  exhausted_until timestamptz not null default '-infinity',
  check ((scope = 'person') = (subject_id is null)),
  check ((calendar is null) <> (rolling is null)),
  unique nulls not distinct (scope, subject_id, counting, calendar, rolling, told_by_provider)
);

create index if not exists limit_rule_exhausted_idx on retoma_internal.limit_rule (scope, subject_id, exhausted_until)
where exhausted_until > '-infinity';

comment on table retoma_internal.limit_rule is
'At most this many messages, or different people, in a period. set_limit writes the rules of operators. The scope person
has no function yet.';
comment on column retoma_internal.limit_rule.told_by_provider is
'The provider says so, see record_account. It holds beside a rule of an operator.';
comment on column retoma_internal.limit_rule.subject_id is
'The id of the channel, group or campaign. Null for the scope person: the rule then holds for each person.';
comment on column retoma_internal.limit_rule.calendar is
'The period is this calendar unit in time_zone. A week begins on Monday.';
comment on column retoma_internal.limit_rule.rolling is 'The period has this length and ends now.';
comment on column retoma_internal.limit_rule.exhausted_until is 'Nothing is reserved under this rule before this time.';
