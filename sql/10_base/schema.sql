create schema if not exists retoma;

comment on schema retoma is
'Retoma: message campaigns that pick up again. Manual of the functions: \df+ retoma.*';
