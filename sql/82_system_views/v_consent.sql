create or replace view retoma.v_consent as
select c.id, c.phone, c.given, c.source, c.at
from retoma_internal.consent as c;

comment on view retoma.v_consent is
'For operators: proof of each opt-in (given) and opt-out: which number, where and when.';
