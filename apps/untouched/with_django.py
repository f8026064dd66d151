"""Django docs: "URL dispatcher", "Request and response objects", "Settings" (https://docs.djangoproject.com/en/stable/topics/http/urls/)."""

import json
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="none")


def item(request, item_id):
    return JsonResponse({"item_id": item_id})


@csrf_exempt
def order(request):
    order = json.loads(request.body)
    return JsonResponse({"item": order["item"], "total": order["quantity"] * 2})


urlpatterns = [path("items/<int:item_id>", item), path("orders", order)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
