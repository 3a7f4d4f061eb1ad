-- The boxes of ISO media, the records of Ogg and RIFF, the local headers of zip, and the names in compound files of
-- Microsoft, which are UTF-16. A text has no such bytes, see media_type_of.
insert into retoma.media_type (mimetype, at_byte, begins, contains) values
('image/jpeg', 0, '\xffd8ff', ''),
('image/png', 0, '\x89504e470d0a1a0a', ''),
('video/mp4', 4, 'ftypisom', ''),
('video/mp4', 4, 'ftypiso2', ''),
('video/mp4', 4, 'ftypiso4', ''),
('video/mp4', 4, 'ftypiso5', ''),
('video/mp4', 4, 'ftypiso6', ''),
('video/mp4', 4, 'ftypmp41', ''),
('video/mp4', 4, 'ftypmp42', ''),
('video/mp4', 4, 'ftypavc1', ''),
('video/mp4', 4, 'ftypM4V ', ''),
('video/mp4', 4, 'ftypMSNV', ''),
('video/3gpp', 4, 'ftyp3gp', ''),
('video/3gpp', 4, 'ftyp3g2', ''),
('audio/mp4', 4, 'ftypM4A ', ''),
('audio/mp4', 4, 'ftypM4B ', ''),
('audio/aac', 0, '\xfff1', ''),
('audio/aac', 0, '\xfff9', ''),
('audio/amr', 0, '#!AMR\012', ''),
('audio/mpeg', 0, 'ID3', ''),
('audio/mpeg', 0, '\xfffb', ''),
('audio/mpeg', 0, '\xfffa', ''),
('audio/mpeg', 0, '\xfff3', ''),
('audio/mpeg', 0, '\xfff2', ''),
('audio/ogg', 28, 'OpusHead', ''),
('application/pdf', 0, '%PDF-', ''),
('application/vnd.openxmlformats-officedocument.wordprocessingml.document', 0, '\x504b0304', 'word/document'),
('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 0, '\x504b0304', 'xl/workbook'),
('application/vnd.openxmlformats-officedocument.presentationml.presentation', 0, '\x504b0304', 'ppt/presentation'),
('application/msword', 0, '\xd0cf11e0a1b11ae1', 'W\000o\000r\000d\000D\000o\000c\000u\000m\000e\000n\000t\000'),
('application/vnd.ms-excel', 0, '\xd0cf11e0a1b11ae1', 'W\000o\000r\000k\000b\000o\000o\000k\000'),
(
  'application/vnd.ms-powerpoint', 0, '\xd0cf11e0a1b11ae1',
  'P\000o\000w\000e\000r\000P\000o\000i\000n\000t\000 \000D\000o\000c\000u\000m\000e\000n\000t\000'
)
on conflict (mimetype, at_byte, begins, contains) do nothing;
