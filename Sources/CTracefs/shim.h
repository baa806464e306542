// The whole boundary to libtracefs and libtraceevent.
#pragma once
#include <tracefs.h>
#include <event-parse.h>
#include <kbuffer.h>
