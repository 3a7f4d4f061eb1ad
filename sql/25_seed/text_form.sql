insert into retoma_internal.text_form (type, pattern, words) values
(
  'line', '\A( {0,4}[^ \n\r\t])* {0,4}\Z',
  'has a line break, a tab, or more than 4 blanks in a row'
),
('link', '\Ahttps?://[^ \n\r\t/]+(/[^ \n\r\t]*)?\Z', 'is not an address of http or https'),
('number', '\A-?[0-9]{1,3}([.][0-9]{1,15})?\Z', 'is not a number like -23.55'),
(
  'time', '\A2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})\Z',
  'is not a time like 2030-05-31T18:00:00-03:00'
),
(
  'word', '\A[^ {}\n\r\t][^{}\n\r\t]{0,255}[^{}\n\r\t]{0,255}\Z',
  'is blank, has braces, or has more than 511 characters'
)
on conflict (type) do nothing;
