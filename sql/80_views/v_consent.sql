create or replace view retoma.v_consent as
select c.id, c.phone, c.given, c.source, c.at
from retoma_internal.consent as c;

comment on view retoma.v_consent is
'Operators: proof of every opt-in (given) and opt-out: who said what, where and when.';
