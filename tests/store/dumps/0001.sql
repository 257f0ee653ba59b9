BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE builds (
	id VARCHAR(32) NOT NULL, 
	project_id VARCHAR(32) NOT NULL, 
	image_id VARCHAR(32) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	requested_by TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	started DATETIME, 
	finished DATETIME, 
	heartbeat DATETIME, 
	step INTEGER NOT NULL, 
	steps INTEGER NOT NULL, 
	instruction TEXT NOT NULL, 
	estimate FLOAT, 
	failure JSON, 
	worker TEXT NOT NULL, 
	joined INTEGER NOT NULL, 
	activate BOOLEAN NOT NULL, 
	fix BOOLEAN NOT NULL, 
	cancel_requested BOOLEAN NOT NULL, 
	log_lines INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "builds" VALUES('dddddddddddddddddddddddddddddddd','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','cccccccccccccccccccccccccccccccc','succeeded','ada','2026-11-24 08:00:00.000000','2026-11-24 08:00:00.000000','2026-11-24 08:00:00.000000',NULL,0,0,'',NULL,'null','',0,0,0,0,0,1);
CREATE TABLE changes (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	noun VARCHAR(16) NOT NULL, 
	id TEXT NOT NULL, 
	project_id VARCHAR(32) NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	data JSON NOT NULL
);
INSERT INTO "changes" VALUES(1,'project','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','created','2026-11-24 09:54:26.475832','{}');
INSERT INTO "changes" VALUES(2,'image','cccccccccccccccccccccccccccccccc','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','created','2026-11-24 09:54:26.482006','{}');
INSERT INTO "changes" VALUES(3,'build','dddddddddddddddddddddddddddddddd','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','succeeded','2026-11-24 09:54:26.485348','{}');
INSERT INTO "changes" VALUES(4,'image','cccccccccccccccccccccccccccccccc','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','updated','2026-11-24 09:54:26.486237','{}');
INSERT INTO "changes" VALUES(5,'project','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','activated','2026-11-24 09:54:26.488082','{}');
CREATE TABLE facts (
	name VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('installation','1234567890abcdef1234567890abcdef');
CREATE TABLE images (
	id VARCHAR(32) NOT NULL, 
	project_id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	version INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	storage VARCHAR(16) NOT NULL, 
	recipe_id VARCHAR(32) NOT NULL, 
	created DATETIME NOT NULL, 
	created_by TEXT NOT NULL, 
	description TEXT NOT NULL, 
	labels JSON NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	engine_image VARCHAR(160) NOT NULL, 
	reference TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	python_version VARCHAR(32) NOT NULL, 
	architecture VARCHAR(32) NOT NULL, 
	optimized BOOLEAN NOT NULL, 
	registry_state VARCHAR(16) NOT NULL, 
	report JSON, 
	last_build_id VARCHAR(32), 
	system BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (project_id, name, version), 
	FOREIGN KEY(recipe_id) REFERENCES recipes (id)
);
INSERT INTO "images" VALUES('cccccccccccccccccccccccccccccccc','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','analysis',2,'ready','local','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2026-11-24 08:00:00.000000','ada','','{}','sha256:1','sha256:1','',0,'','',0,'none','{"ok": true, "items": [], "python_version": "", "python_path": "", "architecture": "", "os_id": "", "os_name": "", "libc": "", "libc_version": "", "ipykernel": "", "conda": false, "packages": [{"name": "numpy", "version": "2.0"}], "kernelspecs": {}, "layers": [], "checked": "2026-11-24T08:00:00.000Z"}','dddddddddddddddddddddddddddddddd',0);
CREATE TABLE projects (
	id VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	path TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	active_image_id VARCHAR(32), 
	previous_image_id VARCHAR(32), 
	run_settings JSON NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	folder_id TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (path)
);
INSERT INTO "projects" VALUES('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','climate','/home/ada/climate','ada','2026-11-24 08:00:00.000000','cccccccccccccccccccccccccccccccc',NULL,'{"memory": null, "cpus": null, "processes": null, "shm_size": null, "gpus": {"kind": "none", "count": 0, "ids": [], "optional": false}, "environment": {}, "secrets": {}, "network": "bridge", "mounts": []}',0,'1:2');
CREATE TABLE recipes (
	id VARCHAR(32) NOT NULL, 
	digest VARCHAR(80) NOT NULL, 
	content JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "recipes" VALUES('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','sha256:0','{"id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "kind": "dockerfile", "dockerfile": "FROM python:3.11-slim\nRUN pip install numpy\n", "reference": "", "build_args": {}, "secrets": [], "template": {}, "context_path": "", "context_digest": "", "context_size": 0, "context_files": 0, "context_stored": false, "parent_image_id": null, "digest": "sha256:0"}');
CREATE INDEX ix_projects_folder_id ON projects (folder_id);
CREATE INDEX ix_recipes_digest ON recipes (digest);
CREATE INDEX images_of_project ON images (project_id, created);
CREATE INDEX ix_builds_image_id ON builds (image_id);
CREATE INDEX ix_builds_project_id ON builds (project_id);
CREATE INDEX ix_builds_state ON builds (state);
CREATE TRIGGER recipes_stay BEFORE UPDATE ON recipes BEGIN SELECT RAISE(ABORT, 'recipes are immutable'); END;
CREATE TRIGGER images_stay BEFORE UPDATE ON images WHEN (NEW.project_id <> OLD.project_id OR NEW.name <> OLD.name OR NEW.version <> OLD.version OR NEW.recipe_id <> OLD.recipe_id) OR (OLD.state IN ('ready', 'missing') AND (NEW.engine_image <> OLD.engine_image OR NEW.digest <> OLD.digest OR NEW.state IN ('building', 'failed'))) BEGIN SELECT RAISE(ABORT, 'images are immutable'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',5);
COMMIT;
