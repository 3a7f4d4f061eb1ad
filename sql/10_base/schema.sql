create schema if not exists retoma;

comment on schema retoma is
'Retoma: message campaigns that pick up again. What people and runners call, and the views: \df+ retoma.*';

create schema if not exists retoma_internal;

comment on schema retoma_internal is
'How Retoma does it: tables and functions that only its own functions call. Nobody has rights here.';
