insert into retoma.content_kind (kind, note) values
('text', 'words'),
('image', 'a picture, with a caption or without'),
('video', 'a film, with a caption or without'),
('document', 'a file with its name, with a caption or without'),
('audio', 'a sound file, or a voice message'),
('template', 'a template that WhatsApp has approved, with its variables filled in'),
('buttons', 'words above buttons, of which the recipient presses one'),
('list', 'words above a button that opens a list, of which the recipient chooses a row'),
('cta_url', 'words above a button that opens a page'),
('poll', 'a question with answers to choose from')
on conflict (kind) do nothing;
