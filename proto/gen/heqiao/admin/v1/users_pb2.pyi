import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class User(_message.Message):
    __slots__ = ("account", "name", "unit", "roles", "valid_from", "valid_to", "state", "created_at", "confirmed_at", "last_sign_in", "has_second_factor")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SIGN_IN_FIELD_NUMBER: _ClassVar[int]
    HAS_SECOND_FACTOR_FIELD_NUMBER: _ClassVar[int]
    account: str
    name: str
    unit: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    valid_from: str
    valid_to: str
    state: str
    created_at: _timestamp_pb2.Timestamp
    confirmed_at: _timestamp_pb2.Timestamp
    last_sign_in: _timestamp_pb2.Timestamp
    has_second_factor: bool
    def __init__(self, account: _Optional[str] = ..., name: _Optional[str] = ..., unit: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., valid_from: _Optional[str] = ..., valid_to: _Optional[str] = ..., state: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirmed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_sign_in: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., has_second_factor: _Optional[bool] = ...) -> None: ...

class ListUsersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListUsersResponse(_message.Message):
    __slots__ = ("users",)
    USERS_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping]]] = ...) -> None: ...

class AddUserRequest(_message.Message):
    __slots__ = ("account", "name", "unit", "roles", "valid_from", "valid_to")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    account: str
    name: str
    unit: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    valid_from: str
    valid_to: str
    def __init__(self, account: _Optional[str] = ..., name: _Optional[str] = ..., unit: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., valid_from: _Optional[str] = ..., valid_to: _Optional[str] = ...) -> None: ...

class AddUserResponse(_message.Message):
    __slots__ = ("initial_password",)
    INITIAL_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    initial_password: str
    def __init__(self, initial_password: _Optional[str] = ...) -> None: ...

class SetRolesRequest(_message.Message):
    __slots__ = ("account", "roles")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    account: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ...) -> None: ...

class SetRolesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DisableUserRequest(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    def __init__(self, account: _Optional[str] = ...) -> None: ...

class DisableUserResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResetUserRequest(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    def __init__(self, account: _Optional[str] = ...) -> None: ...

class ResetUserResponse(_message.Message):
    __slots__ = ("initial_password",)
    INITIAL_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    initial_password: str
    def __init__(self, initial_password: _Optional[str] = ...) -> None: ...

class ConfirmUsersRequest(_message.Message):
    __slots__ = ("accounts",)
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, accounts: _Optional[_Iterable[str]] = ...) -> None: ...

class ConfirmUsersResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
