"""Alembic asks for this file; migrations run in process (:mod:`jupyter_image_manager.store.connection`)."""
