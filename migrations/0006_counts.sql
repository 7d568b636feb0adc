-- How many rows the lists have by what facets count, kept with each row: to count half a million rows anew takes longer than a person waits.

CREATE TABLE list_counts (
    -- 1 applications, 2 jobs.
    list INTEGER NOT NULL,
    -- What `value` is: 1 the cluster, 2 the type, 3 the hour of the end, since 1970. Each row counts once for each of them.
    dimension INTEGER NOT NULL,
    value INTEGER NOT NULL,
    directory INTEGER NOT NULL,
    status INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (list, dimension, value, directory, status)
) STRICT, WITHOUT ROWID;

-- A row that comes (`number` 1) or goes (-1). An end that is not told is in no hour.
CREATE VIEW list_counting AS SELECT 0 AS list, 0 AS cluster, 0 AS type, 0 AS end_time, 0 AS directory, 0 AS status, 0 AS number;
CREATE TRIGGER row_counted INSTEAD OF INSERT ON list_counting BEGIN
    INSERT INTO list_counts VALUES (new.list, 1, new.cluster, new.directory, new.status, new.number)
        ON CONFLICT DO UPDATE SET number = number + excluded.number;
    INSERT INTO list_counts VALUES (new.list, 2, new.type, new.directory, new.status, new.number)
        ON CONFLICT DO UPDATE SET number = number + excluded.number;
    INSERT INTO list_counts
        SELECT new.list, 3, new.end_time / 3600000 - (new.end_time % 3600000 < 0), new.directory, new.status, new.number
        WHERE new.end_time <> -9223372036854775808
        ON CONFLICT DO UPDATE SET number = number + excluded.number;
END;
CREATE TRIGGER count_removed AFTER UPDATE ON list_counts WHEN new.number = 0 BEGIN
    DELETE FROM list_counts WHERE list = new.list AND dimension = new.dimension AND value = new.value AND directory = new.directory
        AND status = new.status;
END;

CREATE TRIGGER application_counted AFTER INSERT ON application_list BEGIN
    INSERT INTO list_counting VALUES (1, new.cluster, new.type, new.end_time, new.directory, new.status, 1);
END;
CREATE TRIGGER application_not_counted AFTER DELETE ON application_list BEGIN
    INSERT INTO list_counting VALUES (1, old.cluster, old.type, old.end_time, old.directory, old.status, -1);
END;
CREATE TRIGGER application_counted_anew AFTER UPDATE ON application_list
    WHEN (old.cluster, old.type, old.end_time, old.directory, old.status) <> (new.cluster, new.type, new.end_time, new.directory, new.status)
BEGIN
    INSERT INTO list_counting VALUES (1, old.cluster, old.type, old.end_time, old.directory, old.status, -1);
    INSERT INTO list_counting VALUES (1, new.cluster, new.type, new.end_time, new.directory, new.status, 1);
END;
CREATE TRIGGER job_counted AFTER INSERT ON job_list BEGIN
    INSERT INTO list_counting VALUES (2, new.cluster, new.type, new.end_time, new.directory, new.status, 1);
END;
CREATE TRIGGER job_not_counted AFTER DELETE ON job_list BEGIN
    INSERT INTO list_counting VALUES (2, old.cluster, old.type, old.end_time, old.directory, old.status, -1);
END;
CREATE TRIGGER job_counted_anew AFTER UPDATE ON job_list
    WHEN (old.cluster, old.type, old.end_time, old.directory, old.status) <> (new.cluster, new.type, new.end_time, new.directory, new.status)
BEGIN
    INSERT INTO list_counting VALUES (2, old.cluster, old.type, old.end_time, old.directory, old.status, -1);
    INSERT INTO list_counting VALUES (2, new.cluster, new.type, new.end_time, new.directory, new.status, 1);
END;

-- Those that are there already.
INSERT INTO list_counts SELECT 1, 1, cluster, directory, status, count(*) FROM application_list GROUP BY 3, 4, 5;
INSERT INTO list_counts SELECT 1, 2, type, directory, status, count(*) FROM application_list GROUP BY 3, 4, 5;
INSERT INTO list_counts SELECT 1, 3, end_time / 3600000 - (end_time % 3600000 < 0), directory, status, count(*) FROM application_list
    WHERE end_time <> -9223372036854775808 GROUP BY 3, 4, 5;
INSERT INTO list_counts SELECT 2, 1, cluster, directory, status, count(*) FROM job_list GROUP BY 3, 4, 5;
INSERT INTO list_counts SELECT 2, 2, type, directory, status, count(*) FROM job_list GROUP BY 3, 4, 5;
INSERT INTO list_counts SELECT 2, 3, end_time / 3600000 - (end_time % 3600000 < 0), directory, status, count(*) FROM job_list
    WHERE end_time <> -9223372036854775808 GROUP BY 3, 4, 5;
