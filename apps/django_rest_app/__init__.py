"""The endpoints that wait for nothing, in Django REST framework with its own serializers.

It is written as its documentation teaches: "Function based views"
(https://www.django-rest-framework.org/api-guide/views/#function-based-views), "Serializers"
(https://www.django-rest-framework.org/api-guide/serializers/) and "Custom exception handling"
(https://www.django-rest-framework.org/api-guide/exceptions/#custom-exception-handling).

Serializers stand where other apps have Pydantic models. They take the same requests, but leave out keys that they do
not know, and they word faults in their own way.
"""
