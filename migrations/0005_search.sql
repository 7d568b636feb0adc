-- What is searched beside names and ids: texts of applications and jobs, each distinct one once, however many have it.

CREATE TABLE texts (
    id INTEGER PRIMARY KEY,
    -- 1 names of vertices, 2 classes of exceptions, 3 their messages, 4 stack traces, 5 configuration, 6 configuration of the cluster.
    kind INTEGER NOT NULL,
    -- Of kind and content: equal texts have equal digests, and are compared whole.
    digest INTEGER NOT NULL,
    -- Compressed.
    content BLOB NOT NULL
) STRICT;
CREATE INDEX texts_by_digest ON texts (digest);

-- Words of the texts, each with a letter before it that stands for the kind. The server cuts texts and queries into words by itself:
-- what it puts here is separated by blanks, and no tokenizer folds or drops anything.
CREATE VIRTUAL TABLE texts_search USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii', detail = 'none');

CREATE TABLE application_texts (
    application INTEGER NOT NULL REFERENCES applications (unit) ON DELETE CASCADE,
    text INTEGER NOT NULL,
    PRIMARY KEY (application, text)
) STRICT, WITHOUT ROWID;
CREATE INDEX application_texts_by_text ON application_texts (text, application);

CREATE TABLE job_texts (
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    text INTEGER NOT NULL,
    PRIMARY KEY (job, text)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_texts_by_text ON job_texts (text, job);

-- A text goes with the last one that has it.
CREATE TRIGGER application_text_removed AFTER DELETE ON application_texts BEGIN
    DELETE FROM texts WHERE id = old.text
        AND NOT EXISTS (SELECT 1 FROM application_texts WHERE text = old.text) AND NOT EXISTS (SELECT 1 FROM job_texts WHERE text = old.text);
END;
CREATE TRIGGER job_text_removed AFTER DELETE ON job_texts BEGIN
    DELETE FROM texts WHERE id = old.text
        AND NOT EXISTS (SELECT 1 FROM application_texts WHERE text = old.text) AND NOT EXISTS (SELECT 1 FROM job_texts WHERE text = old.text);
END;
CREATE TRIGGER text_removed AFTER DELETE ON texts BEGIN
    DELETE FROM texts_search WHERE rowid = old.id;
END;

-- Names are compared without regard to how accents are encoded from now on: where there are any, rows are listed again.
UPDATE meta SET value = 0 WHERE name = 'lists_filled' AND EXISTS (SELECT 1 FROM names WHERE folded GLOB '*[^ -~]*');
