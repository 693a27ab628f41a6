-- What a review has found missing: reports have an end per person, and the search says when it has
-- been through every conversation once.

CREATE INDEX reports_of_person ON reports (reported_by) WHERE state = 'open';
CREATE INDEX reports_id ON reports (id);

-- Whether the walk has reached the end since there is a search: what was written before is in it.
ALTER TABLE search_state ADD COLUMN is_walked boolean NOT NULL DEFAULT false;
