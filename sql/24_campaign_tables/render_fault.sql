create table if not exists retoma_internal.render_fault (
  campaign_id int not null,
  variant smallint not null,
  code text not null check (code ~ '^[a-z_]{1,60}$'),
  reason text not null,
  messages int not null check (messages > 0),
  first_ordinal int not null,
  primary key (campaign_id, variant, code, reason),
  foreign key (campaign_id, variant) references retoma_internal.campaign_content (campaign_id, variant)
  on delete cascade
);

comment on table retoma_internal.render_fault is
'Recipients whose content cannot be made, counted per reason, as runners found it before the content was sent.';
comment on column retoma_internal.render_fault.code is 'As in error_rule: their messages fail with it.';
comment on column retoma_internal.render_fault.reason is
'Why, in words that hold no value of a recipient. Beyond 50 reasons of a content: other reasons.';
comment on column retoma_internal.render_fault.first_ordinal is 'The first such recipient.';
