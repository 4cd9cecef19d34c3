"""Mirrors: fetched ahead, kept up to date by deltas, and the same bytes as the responder's partitions."""

import contextlib
import dataclasses
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys import KeyStore
from node.config import open_key_store
from node.database import partition_versions
from node.database import partitions as index_rows
from node.jobs.mirrors import sync_peer
from node.mirror.folder import FOLDER, MirrorFolder, State
from node.mirror.partition_file import PartitionFile
from node.registers.importer import import_item
from node.rotation import driver
from node.rotation.oprf import OPRF_ROTATION as OPRF
from node.transport.peer_client import PeerClient
