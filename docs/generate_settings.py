"""Write docs/operators/settings.md from the traits themselves: every class, every setting, its default and its help."""

from __future__ import annotations

from pathlib import Path

from jupyter_image_manager.configurables import configurable_classes

PAGE = Path(__file__).with_name("operators") / "settings.md"
HEAD = """# Every setting

This page is written by `python docs/generate_settings.py` from the classes themselves; [configuration](configuration.md)
says what belongs together. A setting is written as `c.Class.name = value` in `jupyter_image_manager_config.py`, or given
as `--Class.name=value` to `jupyter image` and `jupyter lab`.
"""


def page() -> str:
    """Return the page as it should be."""
    parts = [HEAD]
    for cls in configurable_classes():
        traits = cls.class_own_traits(config=True)
        if not traits:
            continue
        summary = (cls.__doc__ or "").strip().split("\n")[0]
        parts.append(f"\n## {cls.__name__}\n\n{summary}\n\n| setting | default | what it does |\n|---|---|---|\n")
        for name, trait in sorted(traits.items()):
            default = trait.default_value_repr() if "default" not in str(type(trait.default_value)) else ""
            help_ = " ".join(trait.help.split()).replace("|", "\\|")
            parts.append(f"| `{cls.__name__}.{name}` | `{default}` | {help_} |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
