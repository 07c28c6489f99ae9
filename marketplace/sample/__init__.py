"""The sample marketplace: real agents around known libraries, and the tasks they are judged on."""
