create schema if not exists retoma;

comment on schema retoma is
'Retoma: message campaigns that pick up again. The functions and views for people and runners: \df+ retoma.*';

create schema if not exists retoma_internal;

comment on schema retoma_internal is
'The inside of Retoma: tables, and functions that only the functions of Retoma call. No other role has rights here.';
