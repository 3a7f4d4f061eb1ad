-- Portuguese, Spanish and English first, then French, Italian and German. A row that exists is not changed, so the
-- changes of an operator stay. A courtesy must be a word without which the reply means the same.
insert into retoma.reply_word (words, meaning)
select w.words, r.meaning
from (
  values
  (
    'opt_out',
    'stop; stop all; stopall; stop it; stop now; stop please; end; quit; cancel; revoke; unsubscribe; unsub; '
    'opt out; optout; remove; remove me; delete me; no more; no more messages; leave; sair; quero sair; '
    'eu quero sair; desejo sair; parar; quero parar; pare; parem; cancelar; cancela; cancele; quero cancelar; '
    'cancelar inscrição; cancelar envio; descadastrar; descadastre; quero descadastrar; descadastro; '
    'descadastramento; remover; remova; me remova; me remove; excluir; me tira; me tire; desinscrever; sai fora; '
    'salir; quiero salir; basta; baja; dar de baja; date de baja; cancelar suscripción; desuscribir; '
    'desuscribirme; eliminar; no más; alto; arrêt; arrêter; arrêtez; désabonner; me désabonner; désinscrire; '
    'désinscription; désabonnement; annuler; ferma; fermati; cancellami; disiscrivi; disiscrivimi; annulla; '
    'abmelden; abbestellen; austragen; kündigen; ende'
  ),
  (
    'opt_out_anywhere',
    'unsubscribe me; stop sending; stop messaging; stop texting; stop contacting; remove me from; '
    'remove my number; delete my number; take me off; opt me out; want to opt out; do not contact me; '
    'do not message me; do not text me; do not send me any; don''t contact me; don''t message me; don''t text me; '
    'don''t send me any; no longer wish to receive; no longer want to receive; stop writing; '
    'não quero mais receber; não quero receber mais; não quero receber mensagem; não quero receber mensagens; '
    'não desejo receber mensagens; não desejo mais receber; não desejo receber mais; não gostaria mais de receber; '
    'não quero mais mensagem; não quero mais mensagens; pare de enviar; pare de mandar; pare de me enviar; '
    'pare de me mandar; para de enviar; para de mandar; para de me mandar; para de me enviar; parem de enviar; '
    'parem de mandar; parem de me enviar; parem de me mandar; não me envie mais; não me mande mais; '
    'não me mandem mais; não me enviem mais; não me mande mensagem; não me mande mensagens; não envie mais; '
    'não mande mais; não enviem mais; não mandem mais; me tire da lista; me tira da lista; me tirem da lista; '
    'me tire dessa lista; me tira dessa lista; me remova da lista; me remove da lista; me exclua da lista; '
    'sair da lista; sair dessa lista; sair desta lista; remova meu número; remover meu número; tire meu número; '
    'tirem meu número; apague meu número; exclua meu número; me descadastre; me descadastrar; '
    'cancelar minha inscrição; cancele minha inscrição; no quiero recibir más; no quiero recibir mensajes; '
    'no quiero más mensajes; no deseo recibir más; dejen de enviar; dejen de mandar; deja de enviar; '
    'deja de mandar; dejen de escribir; no me envíen más; no me manden más; no me envíe más; no me mande más; '
    'no me escriban más; no me escriba más; darme de baja; dame de baja; denme de baja; sáquenme de la lista; '
    'quítenme de la lista; borren mi número; eliminen mi número; ne plus recevoir; ne souhaite plus recevoir; '
    'ne veux plus recevoir; désabonnez moi; désinscrivez moi; arrêtez de m''envoyer; supprimez mon numéro; '
    'retirez moi de; non voglio più ricevere; non voglio ricevere più; non desidero più ricevere; cancellatemi; '
    'smettete di; rimuovetemi; keine nachrichten mehr; bitte abmelden; melden sie mich ab; '
    'aus der liste streichen'
  ),
  (
    'hint',
    'spam; harassment; gdpr; lawyer; scam; wrong number; blocked; reported; do not send; don''t send; '
    'do not contact; don''t contact; not interested; bloquear; bloqueado; denunciar; denúncia; processar; procon; '
    'lgpd; advogado; golpe; chega; número errado; não autorizei; não quero; não quero mais; não tenho interesse; '
    'sem interesse; não me mande; não me mandem; não me envie; não me enviem; não desejo receber; '
    'não gostaria de receber; estafa; número equivocado; abogado; no quiero; no me interesa; no deseo; '
    'no me envíen; no me manden; no me escriban'
  ),
  (
    'courtesy',
    'please; pls; thanks; thank you; thx; hi; hello; hey; good morning; good afternoon; good evening; sorry; now; '
    'ok; okay; sir; madam; all the best; kind regards; por favor; pfv; pf; favor; obrigado; obrigada; obg; '
    'muito obrigado; muito obrigada; grato; grata; agradeço; oi; olá; bom dia; boa tarde; boa noite; agora; '
    'desculpe; desculpa; gentileza; por gentileza; tchau; abraço; abs; senhor; senhora; moço; moça; gracias; '
    'muchas gracias; hola; buenos días; buenas tardes; buenas noches; ahora; perdón; disculpe; saludos; merci; '
    's''il vous plaît; svp; bonjour; bonsoir; grazie; per favore; ciao; buongiorno; bitte; danke; hallo; '
    'guten tag'
  ),
  (
    'negation',
    'not; don''t; do not; does not; doesn''t; never; no; não; nunca; jamais; nem; ne; non; nicht; didn''t; '
    'did not; won''t; will not; cannot; can''t'
  )
) as r (meaning, list)
cross join lateral string_to_table(r.list, '; ') as w (words)
on conflict (plain) do nothing;
