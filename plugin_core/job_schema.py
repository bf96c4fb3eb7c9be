"""Print the JSON Schema of job.json: `python -m plugin_core.job_schema > docs/job.schema.json`."""

from __future__ import annotations

import json

from .shot import Job

if __name__ == "__main__":
    print(json.dumps(Job.model_json_schema(), indent=2))
