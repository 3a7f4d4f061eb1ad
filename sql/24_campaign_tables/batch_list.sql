-- Not a column of batch, so that a step does not rewrite the list.
create table if not exists retoma_internal.batch_list (
  batch_id bigint primary key references retoma_internal.batch (id) on delete cascade,
  ordinals int[] not null
);

comment on table retoma_internal.batch_list is
'The messages of a batch that is not a contiguous range: retries, and batches cut by time zone.';
