-- Behind the files of the transports: each that sends texts can also confirm an opt-out.
insert into retoma.transport_setting (transport, key, kind, note)
select k.transport, 'opt_out_confirmation', 'words', 'what a person is answered, once, after an opt-out by reply'
from retoma.transport_kind as k
where k.kind = 'text'
on conflict (transport, key) do nothing;
