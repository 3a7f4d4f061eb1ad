create or replace view retoma.v_suppression as
select s.phone, s.reason, s.source, s.at
from retoma_internal.suppression as s;

comment on view retoma.v_suppression is
'For operators: numbers that no campaign contacts, the reason, and since when. Changed by opt_out and opt_in.';
