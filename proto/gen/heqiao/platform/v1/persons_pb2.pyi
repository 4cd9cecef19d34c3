import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PersonSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERSON_SOURCE_UNSPECIFIED: _ClassVar[PersonSource]
    PERSON_SOURCE_JOB: _ClassVar[PersonSource]
    PERSON_SOURCE_DRAFT: _ClassVar[PersonSource]
    PERSON_SOURCE_HOUSEHOLD: _ClassVar[PersonSource]
    PERSON_SOURCE_FORM: _ClassVar[PersonSource]
PERSON_SOURCE_UNSPECIFIED: PersonSource
PERSON_SOURCE_JOB: PersonSource
PERSON_SOURCE_DRAFT: PersonSource
PERSON_SOURCE_HOUSEHOLD: PersonSource
PERSON_SOURCE_FORM: PersonSource

class ShowPersonRequest(_message.Message):
    __slots__ = ("source", "id", "ref", "reason")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    source: PersonSource
    id: str
    ref: str
    reason: str
    def __init__(self, source: _Optional[_Union[PersonSource, str]] = ..., id: _Optional[str] = ..., ref: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ShowPersonResponse(_message.Message):
    __slots__ = ("name", "numbers", "until", "shown", "most")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    name: str
    numbers: _containers.RepeatedScalarFieldContainer[str]
    until: _timestamp_pb2.Timestamp
    shown: int
    most: int
    def __init__(self, name: _Optional[str] = ..., numbers: _Optional[_Iterable[str]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., shown: _Optional[int] = ..., most: _Optional[int] = ...) -> None: ...
