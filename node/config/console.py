"""The section [console] of the configuration: the pages for people, `heqiao console`."""

from pydantic import Field, model_validator

from node.config.section import HomePath, Listen, Section


class ConsoleSection(Section):
    """The console: pages for officers and administrators, a process of its own (`heqiao console`)."""

    listen: Listen = Field(
        default="127.0.0.1:7445",
        description="Address for browsers; the default is for this machine only, or a proxy on it",
    )
    certificate: HomePath | None = Field(
        default=None,
        description="Certificate (PEM) that browsers see; without one the node's own, which no browser knows",
    )
    key: HomePath | None = Field(default=None, description="Its key (PEM), readable by this account only")
    threads: int = Field(
        default=16, ge=2, le=256, description="Pages that are made at the same time, and calls to the node"
    )
    upload_kib: int = Field(
        default=2_048, ge=64, le=65_536, description="Largest list that is uploaded, in KiB"
    )

    @model_validator(mode="after")
    def _check_pair(self) -> "ConsoleSection":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key are given together")
        return self
