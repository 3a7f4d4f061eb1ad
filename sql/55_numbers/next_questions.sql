-- Opens the batches on the way whose numbers are all known. A batch that another transaction has locked is passed over:
-- a session that was left open must not hold up other campaigns.
create or replace function retoma_internal.next_questions(
  p_channel_id int, out batch_id bigint, out phones text[], out known int
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_passed bigint[] := array[]::bigint[];
begin
  for v_turn in 1 .. 20 loop
    batch_id := retoma_internal.next_closed_batch(p_channel_id, v_passed);
    exit when batch_id is null;
    phones := array(select u.phone from retoma_internal.unknown_numbers(batch_id) as u (phone));
    if phones <> '{}' then
      known := (select b.size from retoma_internal.batch as b where b.id = batch_id) - cardinality(phones);
      return;
    end if;
    perform retoma_internal.open_batch(batch_id);
    v_passed := v_passed || batch_id;
  end loop;
  batch_id := null;
end;
$$;

comment on function retoma_internal.next_questions(int) is
'The numbers that the provider of a channel has to be asked about next, their batch (null: there are none), and how many
numbers of this batch are known.';
