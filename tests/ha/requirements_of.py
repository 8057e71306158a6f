"""Prints what pip must install for the integrations named as arguments.

For those, for the ones that Home Assistant always loads, and for all that these depend on. Runs in the environment that
Home Assistant is installed in and reads the manifests there.
"""

import importlib.util
import json
import pathlib
import sys

from homeassistant import bootstrap

ALWAYS = (
    "CORE_INTEGRATIONS",
    "DEFAULT_INTEGRATIONS",
    "LOGGING_AND_HTTP_DEPS_INTEGRATIONS",
    "FRONTEND_INTEGRATIONS",
    "CRITICAL_INTEGRATIONS",
)

package = importlib.util.find_spec("homeassistant").submodule_search_locations[0]
components = pathlib.Path(package) / "components"
waiting = set(sys.argv[1:]).union(*(getattr(bootstrap, name, ()) for name in ALWAYS))
seen, requirements = set(), set()
while waiting:
    name = waiting.pop()
    seen.add(name)
    manifest = components / name / "manifest.json"
    if manifest.exists():
        manifest = json.loads(manifest.read_text())
        requirements.update(manifest.get("requirements", ()))
        waiting.update(set(manifest.get("dependencies", ())) - seen)
print("\n".join(sorted(requirements)))
