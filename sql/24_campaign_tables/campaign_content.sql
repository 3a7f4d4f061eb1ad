create table if not exists retoma_internal.campaign_content (
  campaign_id int not null references retoma_internal.campaign (id) on delete cascade,
  variant smallint not null default 1 check (variant between 1 and 20),
  content jsonb not null,
  texts jsonb not null,
  required_variables text[],
  optional_variables text[],
  fault text check (fault <> ''),
  rendering boolean not null,
  rendered int not null default 0,
  tried int not null default 0,
  list int not null default 1,
  primary key (campaign_id, variant)
);

-- Nearly always empty. Each lease and each tick reads it.
create index if not exists campaign_content_unchecked_idx on retoma_internal.campaign_content (campaign_id)
where required_variables is null and fault is null;

create index if not exists campaign_content_rendering_idx on retoma_internal.campaign_content (campaign_id)
where rendering;

comment on table retoma_internal.campaign_content is
'The contents of each campaign: one, or several of which variant_of chooses one for each message. They never change. No
batch is leased before runners have checked all of them.';
comment on column retoma_internal.campaign_content.content is
'A kind and its fields, of which the texts are Liquid: {"kind": "text", "text": "Olá {{ name }}"}.';
comment on column retoma_internal.campaign_content.texts is
'Its Liquid texts, and what each has to be for every recipient, see content_texts. Fixed with the content: a limit that
changes in an upgrade changes no campaign.';
comment on column retoma_internal.campaign_content.required_variables is
'Variables that every recipient must have, as the parser of a runner found them; null: not checked yet, or refused.';
comment on column retoma_internal.campaign_content.optional_variables is
'Variables that the content names and a recipient may lack; null: not known.';
comment on column retoma_internal.campaign_content.fault is
'Why the content can never be sent to these recipients, in words; null when no reason is known.';
comment on column retoma_internal.campaign_content.rendering is
'Runners render it for all recipients, to count those for whom it cannot be made. False where it is the same for all,
and when they are done.';
comment on column retoma_internal.campaign_content.rendered is
'For the recipients up to this ordinal they have done so.';
comment on column retoma_internal.campaign_content.tried is
'How many of these recipients get this variant.';
comment on column retoma_internal.campaign_content.list is
'Number of the list of recipients: a draft that is cleared gets the next one.';
