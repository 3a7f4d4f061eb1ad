-- A function, because a role that has DELETE on a table can also lock it, and every reply reads this table. Locks the
-- row.
create or replace function retoma.remove_reply_word(p_words text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  delete from retoma.reply_word as w where w.plain = retoma_internal.plain_words(p_words);
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_word',
      message = format('replies are not read for %L', left(p_words, 200)),
      hint = 'select words, meaning from retoma.reply_word order by meaning, words';
  end if;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.remove_reply_word(text) is
'Removes a word or a phrase of reply_word. Case, accents and punctuation do not matter. Error RT001: it is not there.';
