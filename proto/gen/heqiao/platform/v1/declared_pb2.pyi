from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeclaredHouseholds(_message.Message):
    __slots__ = ("households",)
    HOUSEHOLDS_FIELD_NUMBER: _ClassVar[int]
    households: _containers.RepeatedCompositeFieldContainer[DeclaredHousehold]
    def __init__(self, households: _Optional[_Iterable[_Union[DeclaredHousehold, _Mapping]]] = ...) -> None: ...

class DeclaredHousehold(_message.Message):
    __slots__ = ("household", "income", "assets", "spending", "items", "causes", "application_no", "acceptance_no", "applicant", "applicant_id_type", "relatives")
    HOUSEHOLD_FIELD_NUMBER: _ClassVar[int]
    INCOME_FIELD_NUMBER: _ClassVar[int]
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    SPENDING_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_NO_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_NO_FIELD_NUMBER: _ClassVar[int]
    APPLICANT_FIELD_NUMBER: _ClassVar[int]
    APPLICANT_ID_TYPE_FIELD_NUMBER: _ClassVar[int]
    RELATIVES_FIELD_NUMBER: _ClassVar[int]
    household: str
    income: int
    assets: int
    spending: int
    items: _containers.RepeatedCompositeFieldContainer[DeclaredItem]
    causes: _containers.RepeatedScalarFieldContainer[str]
    application_no: str
    acceptance_no: str
    applicant: str
    applicant_id_type: str
    relatives: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, household: _Optional[str] = ..., income: _Optional[int] = ..., assets: _Optional[int] = ..., spending: _Optional[int] = ..., items: _Optional[_Iterable[_Union[DeclaredItem, _Mapping]]] = ..., causes: _Optional[_Iterable[str]] = ..., application_no: _Optional[str] = ..., acceptance_no: _Optional[str] = ..., applicant: _Optional[str] = ..., applicant_id_type: _Optional[str] = ..., relatives: _Optional[_Iterable[str]] = ...) -> None: ...

class DeclaredItem(_message.Message):
    __slots__ = ("item", "amount")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    item: str
    amount: int
    def __init__(self, item: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...
