-- Locks out other calls of media_add and media_remove, and nothing else. The bytes are in no message of an error.
create or replace function retoma.media_add(p_name text, p_data bytea) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '30s'
as $$
declare
  v_name text := trim(p_name);
  v_hash bytea := sha256(p_data);
  v_type text;
  v_most int;
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.check_length('the name of a file', v_name, 200);
  if v_name is null or not exists (
    select from retoma_internal.text_form as f where f.type = 'word' and v_name ~ f.pattern
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_medium_name',
      message = 'the name of a file is not blank, and has no braces', hint = 'For example offer.jpg';
  end if;
  v_type := retoma_internal.media_type_of(p_data);
  select max(l.maximum) into v_most from retoma.medium_limit as l where l.mimetype = v_type;
  if v_most is null then
    raise exception using errcode = 'RT003', constraint = 'unknown_media_type',
      message = format('%s is of no type that can be sent, whatever its name says', v_name),
      hint = 'retoma.medium_limit has the types that each transport takes';
  elsif length(p_data) > v_most then
    raise exception using errcode = 'RT003', constraint = 'medium_too_large',
      message = format('%s (%s) has %s bytes, at most %s', v_name, v_type, length(p_data), v_most),
      hint = 'Make it smaller; retoma.medium_limit has what each transport takes';
  end if;
  lock table retoma_internal.medium in share row exclusive mode;
  if exists (select from retoma_internal.medium as m where m.name = v_name and m.sha256 <> v_hash) then
    raise exception using errcode = 'RT004', constraint = 'medium_name_taken',
      message = format('there is already another file %L', v_name),
      hint = 'Choose another name, or remove the old file: select retoma.media_remove(name)';
  end if;
  insert into retoma_internal.medium_data (sha256, mimetype, size, data)
  values (v_hash, v_type, length(p_data), p_data)
  on conflict (sha256) do nothing;
  insert into retoma_internal.medium (name, sha256, added_at) values (v_name, v_hash, retoma.clock())
  on conflict (name) do nothing;
  return v_type;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.media_add(text, bytea) is
'Stores a file for contents, which say it by its name: {"kind": "image", "media": {"file": "offer.jpg"}}. p_data: the
bytes. Returns the MIME type, which the bytes decide. The same file again changes nothing; under another name, it is
stored once. retoma.v_medium lists the files.
Errors: RT003 a bad name, a type that cannot be sent or too many bytes, RT004 the name has another file.';
