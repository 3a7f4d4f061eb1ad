-- A hash spreads any list, in whatever order it was imported, and never changes: SHA-256 of the 16 bytes that the id
-- stands for. Its first 60 bits, modulo the sum of the weights, fall into the share of one variant.
create or replace function retoma_internal.variant_of(p_message_id text, p_bounds int[]) returns int
language sql immutable parallel safe
begin atomic
  select case
    when p_bounds is null then 1
    else width_bucket(
      mod(
        ('x' || left(encode(sha256(decode(p_message_id, 'hex')), 'hex'), 15))::bit(60)::bigint,
        p_bounds[cardinality(p_bounds)]
      )::int,
      p_bounds
    ) + 1
  end;
end;

comment on function retoma_internal.variant_of(text, int[]) is
'Which content the message with this id gets, from 1, the same in every attempt. p_bounds: campaign.variant_bounds.';
